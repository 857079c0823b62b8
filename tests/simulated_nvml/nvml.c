/* NVML's functions, as pynvml calls them, on GPUs that are simulated.
 *
 * nvmlInit maps the control file (see model.h) that WHQ_SIMULATED_NVML names. A process that was forked
 * has to initialise again, and handles from before an initialisation are refused.
 */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "calls.h"

typedef struct {
    uint32_t pid;
    unsigned long long memory;
    uint32_t gpu_instance, compute_instance;
} nvmlProcessInfo_t;

struct control *control;
static pid_t owner;
static int uses;
static unsigned int openings; /* in each handle, so that one from before a fork or a shutdown is refused */

static int is_open(void) { return uses && owner == getpid(); }

nvmlReturn_t nvmlInitWithFlags(unsigned int flags) {
    (void)flags;
    if (is_open()) {
        uses++;
        return SUCCESS;
    }
    struct control *found = simulated_map(getenv("WHQ_SIMULATED_NVML"));
    if (!found) return DRIVER_NOT_LOADED;
    lock(found);
    found->init_calls++;
    found->last_init_pid = getpid();
    nvmlReturn_t result = found->init_error;
    unlock(found);
    if (result) return result;
    control = found;
    owner = getpid();
    uses = 1;
    openings++;
    return SUCCESS;
}

nvmlReturn_t nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
nvmlReturn_t nvmlInit(void) { return nvmlInitWithFlags(0); }

nvmlReturn_t nvmlShutdown(void) {
    if (!is_open()) return UNINITIALIZED;
    uses--;
    lock(control);
    control->shutdown_calls++;
    unlock(control);
    return SUCCESS;
}

const char *nvmlErrorString(nvmlReturn_t code) {
    static char text[40];
    snprintf(text, sizeof text, "Simulated error %d", code);
    return text;
}

static nvmlReturn_t copy_text(const char *from, char *to, unsigned int size) {
    if (strlen(from) >= size) return INSUFFICIENT_SIZE;
    strcpy(to, from);
    return SUCCESS;
}

nvmlReturn_t nvmlSystemGetDriverVersion(char *text, unsigned int size) {
    return is_open() ? copy_text(control->driver, text, size) : UNINITIALIZED;
}

nvmlReturn_t nvmlSystemGetNVMLVersion(char *text, unsigned int size) {
    return nvmlSystemGetDriverVersion(text, size);
}

nvmlReturn_t nvmlDeviceGetCount_v2(unsigned int *count) {
    if (!is_open()) return UNINITIALIZED;
    *count = control->gpu_count;
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t *device) {
    if (!is_open()) return UNINITIALIZED;
    if (index >= control->gpu_count) return INVALID_ARGUMENT;
    *device = (nvmlDevice_t)(uintptr_t)(openings << 8 | (index + 1));
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetHandleByUUID(const char *uuid, nvmlDevice_t *device) {
    if (!is_open()) return UNINITIALIZED;
    if (!uuid) return INVALID_ARGUMENT;
    for (unsigned int i = 0; i < control->gpu_count; i++)
        if (!strcmp(control->gpus[i].uuid, uuid)) return nvmlDeviceGetHandleByIndex_v2(i, device);
    return NOT_FOUND;
}

/* -- one call about one GPU ---------------------------------------------------------------------- */

static void spend_half_the_cost(const struct gpu *gpu) {
    double until = now_s() + gpu->knobs[reading_cost_ms] / 2000;
    if (gpu->knobs[reading_cost_ms] <= 0) return;
    if (gpu->knobs[reading_cost_spins]) {
        while (now_s() < until) {}
        return;
    }
    struct timespec wake = {(time_t)until, (long)((until - floor(until)) * 1e9)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, NULL) == EINTR) {}
}

nvmlReturn_t failure_at(const struct gpu *gpu, enum function_class class, double t) {
    for (int i = gpu->failure_count - 1; i >= 0; i--) {
        const struct failure *failure = &gpu->failures[i];
        if (failure->classes & 1u << class && t >= failure->from_s && t < failure->until_s) return failure->code;
    }
    return SUCCESS;
}

nvmlReturn_t begin(nvmlDevice_t device, enum function_class class, struct gpu **gpu, double *t) {
    if (!is_open()) return UNINITIALIZED;
    uintptr_t handle = (uintptr_t)device, index = (handle & 0xff) - 1;
    if (handle >> 8 != openings || index >= control->gpu_count) return INVALID_ARGUMENT;
    *gpu = &control->gpus[index];
    if (class <= class_samples) spend_half_the_cost(*gpu);
    lock(control);
    *t = now_s();
    (*gpu)->calls[class]++;
    nvmlReturn_t result = failure_at(*gpu, class, *t);
    if (result > SUCCESS) unlock(control);
    return result == ZERO_WATTS && class != class_power && class != class_samples ? SUCCESS : result;
}

nvmlReturn_t end(struct gpu *gpu, enum function_class class, nvmlReturn_t result) {
    unlock(control);
    if (class <= class_samples) spend_half_the_cost(gpu);
    return result;
}

static nvmlReturn_t text_about(nvmlDevice_t device, size_t offset, char *text, unsigned int size) {
    struct gpu *gpu;
    double t;
    nvmlReturn_t result = begin(device, class_info, &gpu, &t);
    return result ? result : end(gpu, class_info, copy_text((char *)gpu + offset, text, size));
}

nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char *text, unsigned int size) {
    return text_about(device, offsetof(struct gpu, uuid), text, size);
}

nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char *text, unsigned int size) {
    return text_about(device, offsetof(struct gpu, name), text, size);
}

/* A function that tells one knob as an unsigned int, in units of 1/scale. */
static nvmlReturn_t tell(nvmlDevice_t device, enum function_class class, enum knob knob, double scale,
                         enum knob supported, unsigned int *value) {
    struct gpu *gpu;
    double t;
    nvmlReturn_t result = begin(device, class, &gpu, &t);
    if (result) return result;
    if (supported != KNOB_COUNT && !gpu->knobs[supported]) return end(gpu, class, NOT_SUPPORTED);
    *value = (unsigned int)llround(gpu->knobs[knob] * scale);
    return end(gpu, class, SUCCESS);
}

#define TELLS(function, class, knob, scale, supported) \
    nvmlReturn_t function(nvmlDevice_t device, unsigned int *value) { \
        return tell(device, class_##class, knob, scale, supported, value); \
    }
TELLS(nvmlDeviceGetPowerManagementLimit, limit, power_limit_w, 1000, power_limit_supported)
TELLS(nvmlDeviceGetEnforcedPowerLimit, limit, power_limit_w, 1000, power_limit_supported)
TELLS(nvmlDeviceGetPowerManagementDefaultLimit, limit, power_limit_w, 1000, power_limit_supported)
TELLS(nvmlDeviceGetArchitecture, info, architecture, 1, KNOB_COUNT)

/* Functions that other tools ask at start-up, with an answer that is always the same. */
#define ANSWERS(function, answer) \
    nvmlReturn_t function(nvmlDevice_t device, unsigned int *value) { \
        struct gpu *gpu; \
        double t; \
        nvmlReturn_t result = begin(device, class_info, &gpu, &t); \
        if (result) return result; \
        *value = answer; \
        return end(gpu, class_info, SUCCESS); \
    }
ANSWERS(nvmlDeviceGetIndex, gpu - control->gpus)
ANSWERS(nvmlDeviceGetPersistenceMode, 1)
ANSWERS(nvmlDeviceGetComputeMode, 0)

nvmlReturn_t nvmlDeviceGetPowerManagementLimitConstraints(nvmlDevice_t device, unsigned int *low, unsigned int *high) {
    *low = 100000;
    return nvmlDeviceGetPowerManagementLimit(device, high);
}

nvmlReturn_t nvmlDeviceGetCudaComputeCapability(nvmlDevice_t device, int *major, int *minor) {
    unsigned int tenfold = 0;
    nvmlReturn_t result = tell(device, class_info, compute_capability, 10, KNOB_COUNT, &tenfold);
    *major = tenfold / 10;
    *minor = tenfold % 10;
    return result;
}

nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, unsigned long long *total_free_used) {
    unsigned int index;
    nvmlReturn_t result = nvmlDeviceGetIndex(device, &index);
    unsigned long long gib = 1ull << 30;
    memcpy(total_free_used, (unsigned long long[]){80 * gib, 60 * gib, 20 * gib}, 3 * sizeof gib);
    return result;
}

nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t device, unsigned int *gpu_memory) {
    gpu_memory[1] = 0;
    return nvmlDeviceGetComputeMode(device, gpu_memory);
}

nvmlReturn_t nvmlDeviceGetC2cModeInfoV(nvmlDevice_t device, unsigned int *enabled) {
    return nvmlDeviceGetComputeMode(device, enabled);
}

nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t device, unsigned int sensor, unsigned int *celsius) {
    return sensor ? INVALID_ARGUMENT
                  : tell(device, class_temperature, temperature_c, 1, KNOB_COUNT, celsius);
}

nvmlReturn_t nvmlDeviceGetTemperatureV(nvmlDevice_t device, unsigned int *version_sensor_celsius) {
    return nvmlDeviceGetTemperature(device, version_sensor_celsius[1], &version_sensor_celsius[2]);
}

nvmlReturn_t nvmlDeviceGetCurrentClocksEventReasons(nvmlDevice_t device, unsigned long long *reasons) {
    unsigned int value = 0;
    nvmlReturn_t result = tell(device, class_clocks, clocks_event_reasons, 1, KNOB_COUNT, &value);
    *reasons = value;
    return result;
}

nvmlReturn_t nvmlDeviceGetCurrentClocksThrottleReasons(nvmlDevice_t device, unsigned long long *reasons) {
    return nvmlDeviceGetCurrentClocksEventReasons(device, reasons);
}

nvmlReturn_t nvmlDeviceGetMigMode(nvmlDevice_t device, unsigned int *current, unsigned int *pending) {
    struct gpu *gpu;
    double t;
    nvmlReturn_t result = begin(device, class_mig, &gpu, &t);
    if (result) return result;
    if (gpu->knobs[mig_mode] < 0) return end(gpu, class_mig, NOT_SUPPORTED);
    *current = *pending = (unsigned int)gpu->knobs[mig_mode];
    return end(gpu, class_mig, SUCCESS);
}

nvmlReturn_t nvmlDeviceGetComputeRunningProcesses_v3(nvmlDevice_t device, unsigned int *count, nvmlProcessInfo_t *found) {
    struct gpu *gpu;
    double t;
    nvmlReturn_t result = begin(device, class_processes, &gpu, &t);
    if (result) return result;
    unsigned int room = *count;
    *count = gpu->process_count;
    if (room < *count) return end(gpu, class_processes, INSUFFICIENT_SIZE);
    for (unsigned int i = 0; i < *count; i++)
        found[i] = (nvmlProcessInfo_t){gpu->processes[i].pid, gpu->processes[i].memory, ~0u, ~0u};
    return end(gpu, class_processes, SUCCESS);
}

nvmlReturn_t nvmlDeviceGetComputeRunningProcesses_v2(nvmlDevice_t device, unsigned int *count, nvmlProcessInfo_t *found) {
    return nvmlDeviceGetComputeRunningProcesses_v3(device, count, found);
}

nvmlReturn_t nvmlDeviceGetGraphicsRunningProcesses_v3(nvmlDevice_t device, unsigned int *count, nvmlProcessInfo_t *found) {
    (void)found;
    return nvmlDeviceGetComputeMode(device, count);
}

void simulated_forget(void) { uses = 0; }
