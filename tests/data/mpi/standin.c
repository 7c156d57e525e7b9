// Stands in for an MPI library with MPICH's handles: one process, whose operations end, or fail, at the call of MPI_Test that is asked for.
#include <string.h>

static int calls_left, code;

void standin_end_at(int calls, int with) { calls_left = calls; code = with; }

int MPI_Initialized(int *flag) { *flag = 0; return 0; }
int MPI_Finalized(int *flag) { *flag = 0; return 0; }
int MPI_Init_thread(int *argc, char ***argv, int required, int *provided) { *provided = required; return 0; }
int MPI_Finalize(void) { return 0; }
int MPI_Abort(int comm, int code) { return 0; }
int MPI_Get_library_version(char *text, int *length) { strcpy(text, "Stand-in 1.0"); *length = strlen(text); return 0; }
int MPI_Error_string(int code, char *text, int *length) { strcpy(text, "the connection was closed"); *length = strlen(text); return 0; }
int MPI_Comm_rank(int comm, int *rank) { *rank = 0; return 0; }
int MPI_Comm_size(int comm, int *size) { *size = 1; return 0; }
int MPI_Comm_dup(int comm, int *copy) { *copy = comm; return 0; }
int MPI_Comm_set_errhandler(int comm, int handler) { return 0; }
int MPI_Comm_split_type(int comm, int type, int key, int info, int *part) { *part = comm; return 0; }
int MPI_Iallreduce(const void *in, void *out, int count, int type, int op, int comm, int *request) { *request = 7; return 0; }
int MPI_Ibcast(void *data, int count, int type, int root, int comm, int *request) { *request = 7; return 0; }
int MPI_Igatherv(const void *in, int n, int type, void *out, const int *counts, const int *starts, int out_type, int root, int comm, int *request)
{
    *request = 7;
    return 0;
}
int MPI_Iallgatherv(const void *in, int n, int type, void *out, const int *counts, const int *starts, int out_type, int comm, int *request)
{
    *request = 7;
    return 0;
}
int MPI_Ibarrier(int comm, int *request) { *request = 7; return 0; }
int MPI_Isend(const void *data, int count, int type, int to, int tag, int comm, int *request) { *request = 7; return 0; }
int MPI_Irecv(void *data, int count, int type, int from, int tag, int comm, int *request) { *request = 7; return 0; }
int MPI_Iprobe(int from, int tag, int comm, int *there, void *status) { *there = 0; return 0; }
int MPI_Recv(void *data, int count, int type, int from, int tag, int comm, void *status) { return 0; }

int MPI_Test(int *request, int *done, void *status)
{
    *done = 0;
    if (--calls_left > 0)
        return 0;
    *done = code == 0;
    return code;
}
