/* Stands in for the part of the CUDA driver that captures a stream: every call is written down, calls that a driver would refuse are refused, and calls fail
   when they are told to. Nothing is captured: the test's work runs when it is queued. OLD leaves out what came with CUDA 11.4, ANCIENT what came before too. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { text = 1 << 14, most = 64, invalid_value = 1, invalid_handle = 400, capture_implicit = 906 };

static char log_text[text];
static size_t log_used;
static int live[most], made, capturing, fail_code;
static char fail_name[64];

static int note(const char *name, uintptr_t a, int b) {
    log_used += snprintf(log_text + log_used, text - log_used, "%s %lu %d\n", name, (unsigned long)a, b);
    if (fail_code && !strcmp(name, fail_name)) {
        int code = fail_code;
        fail_code = 0;
        return code;
    }
    return 0;
}

/* For the test: the record, the objects that were not given back, and a failure to come. */
const char *standin_log(void) { return log_text; }
int standin_live(void) { int count = 0; for (int i = 0; i < most; i++) count += live[i]; return count; }
void standin_fail(const char *name, int code) { snprintf(fail_name, sizeof fail_name, "%s", name); fail_code = code; }

static uintptr_t make(void) { live[made] = 1; return 0x1000 + made++; }
static int destroy(uintptr_t object) {
    uintptr_t at = object - 0x1000;
    if (at >= (uintptr_t)made || !live[at]) { log_used += snprintf(log_text + log_used, text - log_used, "destroyed twice\n"); return invalid_handle; }
    live[at] = 0;
    return 0;
}

int cuStreamBeginCapture_v2(uintptr_t stream, int mode) {
    int failed = note("begin", stream, mode);
    if (failed) return failed;
    if (stream < 3) return capture_implicit; /* the default streams */
    if (capturing || mode != 1) return invalid_value;
    capturing = 1;
    return 0;
}

int cuStreamEndCapture(uintptr_t stream, uintptr_t *graph) {
    int failed = note("end", stream, 0);
    if (!capturing) return invalid_value;
    capturing = 0;
    *graph = failed ? 0 : make();
    return failed;
}

static int instantiate(uintptr_t *executable, uintptr_t graph) {
    int failed = note("instantiate", 0, 0);
    if (failed) return failed;
    if (graph < 0x1000 || !live[graph - 0x1000]) return invalid_handle;
    *executable = make();
    return 0;
}
#ifndef ANCIENT
#ifndef OLD
int cuGraphInstantiateWithFlags(uintptr_t *executable, uintptr_t graph, unsigned long long flags) { return flags ? invalid_value : instantiate(executable, graph); }
#else
int cuGraphInstantiate_v2(uintptr_t *executable, uintptr_t graph, uintptr_t *node, char *buffer, size_t size) {
    return node || buffer || size ? invalid_value : instantiate(executable, graph);
}
#endif
#endif

int cuGraphLaunch(uintptr_t executable, uintptr_t stream) {
    int failed = note("launch", stream, 0);
    return failed ? failed : executable >= 0x1000 && live[executable - 0x1000] ? 0 : invalid_handle;
}

int cuGraphExecDestroy(uintptr_t executable) { note("destroy executable", 0, 0); return destroy(executable); }
int cuGraphDestroy(uintptr_t graph) { note("destroy graph", 0, 0); return destroy(graph); }
int cuGetErrorName(int code, const char **name) {
    *name = code == 901 ? "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED" : code == 906 ? "CUDA_ERROR_STREAM_CAPTURE_IMPLICIT" : code == 2 ? "CUDA_ERROR_OUT_OF_MEMORY" : "CUDA_ERROR_UNKNOWN";
    return 0;
}
