/* What each of NVML's functions does before and after it looks at its GPU. */
#include "model.h"

typedef int nvmlReturn_t;
typedef void *nvmlDevice_t;
enum {
    SUCCESS = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6,
    INSUFFICIENT_SIZE = 7, DRIVER_NOT_LOADED = 9,
};

/* These names are common ones, and the library is loaded for all to see. */
#pragma GCC visibility push(hidden)

extern struct control *control;

/* Counts the call and finds its GPU, at time t; locked where the result is SUCCESS or ZERO_WATTS. */
nvmlReturn_t begin(nvmlDevice_t device, enum function_class class, struct gpu **gpu, double *t);

/* Gives what begin() locked back, and the result on. */
nvmlReturn_t end(struct gpu *gpu, enum function_class class, nvmlReturn_t result);

/* The code with which a function fails at t, SUCCESS where it does not. */
nvmlReturn_t failure_at(const struct gpu *gpu, enum function_class class, double t);

#pragma GCC visibility pop
