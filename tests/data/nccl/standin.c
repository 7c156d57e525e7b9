/* Stands in for NCCL and for the part of the CUDA driver that NCCL's group uses: host memory is the card's, work happens when it is queued. Every call is
   written down, and calls that a driver would refuse (an event recorded on another context's stream, NCCL outside of a primary context) are refused. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ranks = 8, streams = 64, text = 1 << 16, invalid = 1, badContext = 201, nccl_invalid_usage = 5 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all_there = PTHREAD_COND_INITIALIZER;
static char log_text[text];
static size_t log_used;
static int live, fail_next;
static __thread uintptr_t stack[8];
static __thread int depth, self = -1;

static void note(const char *line) {
    pthread_mutex_lock(&lock);
    log_used += snprintf(log_text + log_used, text - log_used, "%d %s\n", self, line);
    pthread_mutex_unlock(&lock);
}

/* For the test: whose calls this thread's are, the record, the objects that were not given back, and a failure to come. */
void standin_begin(int rank, uintptr_t context) { self = rank; stack[0] = context; depth = 0; }
const char *standin_log(void) { return log_text; }
int standin_live(void) { return live; }
void standin_fail(int code) { fail_next = code; }
void standin_reset(void) { log_used = 0; log_text[0] = 0; live = 0; fail_next = 0; }

static void count(int change) { pthread_mutex_lock(&lock); live += change; pthread_mutex_unlock(&lock); }

/* Streams and events know their context: streams of the test are small numbers whose context is the thread's first. */
struct object { uintptr_t context; };
static uintptr_t context_of(uintptr_t stream) { return stream < 4096 ? stack[0] : ((struct object *)stream)->context; }
static uintptr_t current(void) { return stack[depth]; }
static int is_primary(uintptr_t context) { return context >= 0x9000 && context < 0x9100; }
static const char *side(uintptr_t stream) { return is_primary(context_of(stream)) ? "side" : "compute"; }

int cuDevicePrimaryCtxRetain(uintptr_t *context, int device) { *context = 0x9000 + device; count(1); return 0; }
int cuDevicePrimaryCtxRelease_v2(int device) { (void)device; count(-1); return 0; }
int cuCtxPushCurrent_v2(uintptr_t context) { stack[++depth] = context; return 0; }
int cuCtxPopCurrent_v2(uintptr_t *context) { if (!depth) return invalid; *context = stack[depth--]; return 0; }

static uintptr_t make(void) { struct object *made = malloc(sizeof *made); made->context = current(); count(1); return (uintptr_t)made; }
static int destroy(uintptr_t object) { free((void *)object); count(-1); return 0; }
int cuStreamCreate(uintptr_t *stream, unsigned flags) { if (flags != 1) return invalid; *stream = make(); return 0; }
int cuStreamDestroy_v2(uintptr_t stream) { return destroy(stream); }
int cuStreamSynchronize(uintptr_t stream) { (void)stream; return 0; }
int cuEventCreate(uintptr_t *event, unsigned flags) { if (flags != 2) return invalid; *event = make(); return 0; }
int cuEventDestroy_v2(uintptr_t event) { return destroy(event); }

int cuEventRecord(uintptr_t event, uintptr_t stream) {
    char line[64];
    if (((struct object *)event)->context != context_of(stream) || current() != context_of(stream)) return badContext;
    snprintf(line, sizeof line, "record %s", side(stream));
    note(line);
    return 0;
}

int cuStreamWaitEvent(uintptr_t stream, uintptr_t event, unsigned flags) {
    char line[64];
    if (flags || current() != context_of(stream)) return badContext;
    snprintf(line, sizeof line, "%s waits for %s", side(stream), is_primary(((struct object *)event)->context) ? "side" : "compute");
    note(line);
    return 0;
}

int cuMemAlloc_v2(uintptr_t *memory, size_t bytes) {
    char line[64];
    if (!is_primary(current())) return badContext;
    *memory = (uintptr_t)malloc(bytes ? bytes : 1);
    count(1);
    snprintf(line, sizeof line, "allocate %zu", bytes);
    note(line);
    return 0;
}

int cuMemFree_v2(uintptr_t memory) { free((void *)memory); count(-1); return 0; }

int cuMemcpyPeerAsync(uintptr_t target, uintptr_t target_context, uintptr_t source, uintptr_t source_context, size_t bytes, uintptr_t stream) {
    char line[64];
    if (current() != context_of(stream)) return badContext;
    memcpy((void *)target, (void *)source, bytes);
    snprintf(line, sizeof line, "copy %zu %s to %s", bytes, is_primary(source_context) ? "side" : "compute", is_primary(target_context) ? "side" : "compute");
    note(line);
    return 0;
}

int cuGetErrorName(int code, const char **name) { *name = code == badContext ? "CUDA_ERROR_INVALID_CONTEXT" : "CUDA_ERROR_INVALID_VALUE"; return 0; }

/* NCCL. A communicator is a place in a group; its rank's buffers are added when all ranks have called. */
typedef struct { char internal[128]; } unique_id;
struct group { char id[128]; int size, joined, put, taken; void *buffers[ranks]; struct group *next; };
struct communicator { struct group *group; int rank; };
static struct group *groups;
static int ids;

int ncclGetVersion(int *version) { *version = 22703; return 0; }
const char *ncclGetErrorString(int code) { return code == nccl_invalid_usage ? "invalid usage" : code == 6 ? "remote process exited" : "unknown"; }
int ncclCommGetAsyncError(void *communicator, int *error) { (void)communicator; *error = 0; return 0; }

int ncclGetUniqueId(unique_id *id) {
    int i;
    note("id");
    for (i = 0; i < 128; i++) id->internal[i] = (char)(i * 3 + ids);
    ids++;
    return 0;
}

int ncclCommInitRank(struct communicator **made, int size, unique_id id, int rank) {
    struct group *group;
    char line[64];
    if (!is_primary(current()) || size > ranks) return nccl_invalid_usage;
    snprintf(line, sizeof line, "join %d of %d", rank, size);
    note(line);
    pthread_mutex_lock(&lock);
    for (group = groups; group && memcmp(group->id, id.internal, 128); group = group->next) { }
    if (!group) {
        group = calloc(1, sizeof *group);
        memcpy(group->id, id.internal, 128);
        group->size = size;
        group->next = groups;
        groups = group;
    }
    group->joined++;
    live++;
    pthread_cond_broadcast(&all_there);
    while (group->joined < size) pthread_cond_wait(&all_there, &lock);
    pthread_mutex_unlock(&lock);
    *made = malloc(sizeof **made);
    (*made)->group = group;
    (*made)->rank = rank;
    return 0;
}

int ncclCommDestroy(struct communicator *communicator) { note("leave"); free(communicator); count(-1); return 0; }

static float widen(uint16_t bits) { uint32_t wide = (uint32_t)bits << 16; float value; memcpy(&value, &wide, 4); return value; }
static uint16_t narrow(float value) { uint32_t bits; memcpy(&bits, &value, 4); return (uint16_t)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16); }

int ncclAllReduce(const void *from, void *to, size_t count_, int type, int operation, struct communicator *communicator, uintptr_t stream) {
    struct group *group = communicator->group;
    size_t i, bytes = count_ * (type == 7 ? 4 : 2);
    void *sum;
    int r;
    char line[64];
    if (fail_next) return fail_next;
    if (operation != 0 || (type != 7 && type != 9) || !is_primary(context_of(stream)) || from != to) return nccl_invalid_usage;
    snprintf(line, sizeof line, "sum %zu of type %d", count_, type);
    note(line);
    sum = malloc(bytes + 1);
    pthread_mutex_lock(&lock);
    while (group->taken) pthread_cond_wait(&all_there, &lock);
    group->buffers[communicator->rank] = (void *)from;
    group->put++;
    pthread_cond_broadcast(&all_there);
    while (group->put < group->size) pthread_cond_wait(&all_there, &lock);
    for (i = 0; i < count_; i++) {
        float value = 0;
        for (r = 0; r < group->size; r++) value += type == 7 ? ((float *)group->buffers[r])[i] : widen(((uint16_t *)group->buffers[r])[i]);
        if (type == 7) ((float *)sum)[i] = value; else ((uint16_t *)sum)[i] = narrow(value);
    }
    /* Nobody overwrites its buffer before all have read it. */
    group->taken++;
    pthread_cond_broadcast(&all_there);
    while (group->taken < group->size) pthread_cond_wait(&all_there, &lock);
    memcpy(to, sum, bytes);
    if (--group->joined == 0) { group->joined = group->size; group->put = group->taken = 0; pthread_cond_broadcast(&all_there); }
    pthread_mutex_unlock(&lock);
    free(sum);
    return 0;
}
