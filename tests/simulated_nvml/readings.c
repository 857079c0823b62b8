/* NVML's functions that read energy and power. */
#include "calls.h"

enum { VALUE_UNSIGNED_INT = 1, VALUE_UNSIGNED_LONG_LONG = 3 };
enum { FIELD_COUNTER = 83, FIELD_AVERAGE = 185, FIELD_INSTANT = 186, FIELD_LIMIT = 190, FIELD_ENERGY = 191 };
enum { SCOPE_GPU = 0, SCOPE_MODULE = 1 };

typedef union { double d; unsigned int ui; unsigned long ul; unsigned long long ull; } nvmlValue_t;
typedef struct {
    uint32_t field, scope;
    int64_t timestamp_us, latency_us;
    uint32_t value_type;
    nvmlReturn_t result;
    nvmlValue_t value;
} nvmlFieldValue_t;
typedef struct { unsigned long long timestamp_us; nvmlValue_t value; } nvmlSample_t;

/* Down to whole thousandths, but for what the clock of a machine that has run for months cannot resolve. */
static unsigned long long millis(double value) { return (unsigned long long)floor(fmax(0, value) * 1000 + 0.1); }

nvmlReturn_t nvmlDeviceGetTotalEnergyConsumption(nvmlDevice_t device, unsigned long long *millijoules) {
    struct gpu *gpu;
    double t;
    nvmlReturn_t result = begin(device, class_energy, &gpu, &t);
    if (result) return result;
    if (!gpu->knobs[counter_supported]) return end(gpu, class_energy, NOT_SUPPORTED);
    *millijoules = millis(shown_counter_j(gpu, t, 0));
    return end(gpu, class_energy, SUCCESS);
}

/* The result of asking for power at t, by how long ago it was asked last. */
static nvmlReturn_t asked_too_fast(struct gpu *gpu, double t) {
    double since = t - gpu->last_power_read_s;
    gpu->last_power_read_s = t;
    return since * 1000 < gpu->knobs[too_fast_ms] ? (nvmlReturn_t)gpu->knobs[too_fast_code] : SUCCESS;
}

nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t device, unsigned int *milliwatts) {
    struct gpu *gpu;
    double t;
    nvmlReturn_t result = begin(device, class_power, &gpu, &t);
    if (result > SUCCESS) return result;
    if (!gpu->knobs[power_usage_supported]) return end(gpu, class_power, NOT_SUPPORTED);
    if (result == SUCCESS) result = asked_too_fast(gpu, t);
    *milliwatts = result ? 0 : millis(shown_power_w(gpu, t, gpu->knobs[power_usage_is_average] != 0));
    return end(gpu, class_power, result == ZERO_WATTS ? SUCCESS : result);
}

static void read_field(struct gpu *gpu, nvmlFieldValue_t *field, double t) {
    const double *knobs = gpu->knobs;
    int counter = field->field == FIELD_COUNTER || field->field == FIELD_ENERGY;
    int power = field->field == FIELD_AVERAGE || field->field == FIELD_INSTANT;
    int module = field->scope == SCOPE_MODULE;
    enum function_class class = counter ? class_energy_field : power ? class_power_field : class_limit;
    gpu->calls[class]++;
    field->timestamp_us = (int64_t)((t + control->wall_clock_offset_s) * 1e6);
    field->latency_us = 0;
    field->value.ull = 0;
    field->result = failure_at(gpu, class, t);
    if (field->result > SUCCESS) return;
    enum knob scope = counter ? (module ? counter_module_scope_supported : counter_gpu_scope_supported)
                              : (module ? power_module_scope_supported : power_gpu_scope_supported);
    enum knob supported = counter ? counter_field_supported
                        : field->field == FIELD_INSTANT ? instant_supported
                        : field->field == FIELD_AVERAGE ? average_supported : power_limit_supported;
    if ((!counter && !power && field->field != FIELD_LIMIT) || field->scope > SCOPE_MODULE ||
        !knobs[supported] || !knobs[scope]) {
        field->result = NOT_SUPPORTED;
        return;
    }
    if (counter) {
        field->value_type = VALUE_UNSIGNED_LONG_LONG;
        field->value.ull = millis(shown_counter_j(gpu, t, module));
        field->result = SUCCESS;
        return;
    }
    field->value_type = VALUE_UNSIGNED_INT;
    if (power && field->result == SUCCESS) field->result = asked_too_fast(gpu, t);
    if (field->result == SUCCESS) {
        double watts = power ? shown_power_w(gpu, t, field->field == FIELD_AVERAGE) : knobs[power_limit_w];
        field->value.ui = (unsigned int)millis(watts + (power && module ? knobs[module_extra_w] : 0));
    }
    if (field->result == ZERO_WATTS) field->result = SUCCESS;
}

nvmlReturn_t nvmlDeviceGetFieldValues(nvmlDevice_t device, int count, nvmlFieldValue_t *fields) {
    struct gpu *gpu;
    double t;
    nvmlReturn_t result = begin(device, class_fields, &gpu, &t);
    if (result > SUCCESS) return result;
    for (int i = 0; i < count; i++) read_field(gpu, &fields[i], t);
    return end(gpu, class_fields, SUCCESS);
}

nvmlReturn_t nvmlDeviceGetSamples(nvmlDevice_t device, unsigned int type, unsigned long long last_seen_us,
                                  unsigned int *value_type, unsigned int *count, nvmlSample_t *samples) {
    struct gpu *gpu;
    double t;
    nvmlReturn_t result = begin(device, class_samples, &gpu, &t);
    if (result > SUCCESS) return result;
    const double *knobs = gpu->knobs;
    if (type != 0 || !knobs[samples_supported]) return end(gpu, class_samples, NOT_SUPPORTED);
    *value_type = VALUE_UNSIGNED_INT;
    unsigned int depth = (unsigned int)knobs[samples_depth], filled = 0;
    if (!samples) {
        *count = depth;
        return end(gpu, class_samples, SUCCESS);
    }
    if (depth > *count) depth = *count;
    double newest = last_tick_s(t, knobs[instant_period_ms], knobs[power_phase_ms]);
    for (int i = (int)depth - 1; i >= 0; i--) {
        double tick = newest - i * knobs[instant_period_ms] / 1000;
        unsigned long long stamp = (unsigned long long)llround((tick + control->wall_clock_offset_s) * 1e6);
        if (stamp <= last_seen_us) continue;
        samples[filled].timestamp_us = stamp;
        samples[filled].value.ull = 0;
        samples[filled++].value.ui = result ? 0 : (unsigned int)millis(shown_power_w(gpu, tick, 0));
    }
    *count = filled;
    return end(gpu, class_samples, filled ? SUCCESS : NOT_FOUND);
}
