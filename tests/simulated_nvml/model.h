/* What simulated GPUs draw, and what their sensors show of it.
 *
 * Everything lives in one file that every process maps: the truth is a list of segments of constant
 * watts, and each sensor is a function of that list and of the moment at which it is read. Times are
 * seconds of CLOCK_MONOTONIC, which is Python's time.monotonic().
 */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

enum { MAX_GPUS = 16, MAX_SEGMENTS = 16384, MAX_FAILURES = 32, MAX_PROCESSES = 16, TEXT_SIZE = 96 };
#define MAGIC 0x77687131u
#define NOISE_SLICE_S 0.01
#define ZERO_WATTS (-1) /* a failure that is none to NVML: power reads 0 */

/* name, value at start; INFINITY stands for "never" */
#define KNOBS(KNOB) \
    KNOB(counter_supported, 1) /* nvmlDeviceGetTotalEnergyConsumption */ \
    KNOB(counter_field_supported, 1) /* fields 83 and 191 */ \
    KNOB(counter_gpu_scope_supported, 1) \
    KNOB(counter_module_scope_supported, 0) \
    KNOB(counter_period_ms, 100) /* 0: always up to date */ \
    KNOB(counter_phase_ms, 0) \
    KNOB(counter_base_j, 100000) \
    KNOB(counter_window_ms, 0) /* above 0: it looks only at so much of each period */ \
    KNOB(counter_lag_s, 0) /* seconds of a step in power that it misses at first ... */ \
    KNOB(counter_catch_up_s, 0) /* ... and the time constant of making that up; 0: never */ \
    KNOB(counter_stuck_from_s, INFINITY) \
    KNOB(counter_stuck_until_s, INFINITY) \
    KNOB(counter_reset_at_s, INFINITY) \
    KNOB(power_usage_supported, 1) /* nvmlDeviceGetPowerUsage */ \
    KNOB(power_usage_is_average, 1) /* or instant, as on older boards */ \
    KNOB(instant_supported, 1) /* field 186 */ \
    KNOB(average_supported, 1) /* field 185 */ \
    KNOB(power_gpu_scope_supported, 1) \
    KNOB(power_module_scope_supported, 0) \
    KNOB(power_phase_ms, 0) \
    KNOB(instant_period_ms, 100) \
    KNOB(instant_window_ms, 25) \
    KNOB(average_period_ms, 100) \
    KNOB(average_window_ms, 1000) \
    KNOB(module_extra_w, 100) /* what the rest of the module draws beside the GPU */ \
    KNOB(too_fast_ms, 0) /* power asked for again sooner than this fails ... */ \
    KNOB(too_fast_code, 3) /* ... with this code */ \
    KNOB(samples_supported, 1) /* nvmlDeviceGetSamples: one sample per instant_period_ms */ \
    KNOB(samples_depth, 120) \
    KNOB(noise, 0) /* standard deviation of the watts of each 10 ms, as a ratio; part of the truth */ \
    KNOB(reading_cost_ms, 0) /* half of it before the sensor is looked at, half after */ \
    KNOB(reading_cost_spins, 0) /* whether a reading burns CPU for that time or sleeps */ \
    KNOB(power_limit_w, 700) \
    KNOB(power_limit_supported, 1) \
    KNOB(temperature_c, 45) \
    KNOB(clocks_event_reasons, 0) \
    KNOB(mig_mode, 0) /* 1: on, -1: not supported */ \
    KNOB(architecture, 9) \
    KNOB(compute_capability, 9.0) /* major.minor */

enum knob {
#define KNOB_INDEX(name, value) name,
    KNOBS(KNOB_INDEX) KNOB_COUNT
};

/* Functions by what they are for: the unit in which failures are set and calls are counted. */
#define CLASSES(CLASS) \
    CLASS(energy) CLASS(energy_field) CLASS(power) CLASS(power_field) CLASS(fields) CLASS(samples) \
    CLASS(limit) CLASS(temperature) CLASS(clocks) CLASS(processes) CLASS(mig) CLASS(info)

enum function_class {
#define CLASS_INDEX(name) class_##name,
    CLASSES(CLASS_INDEX) CLASS_COUNT
};

struct segment { double start_s, watts, energy_before_j, noise_before_j; };
struct failure { uint32_t classes; int32_t code; double from_s, until_s; };
struct process { uint32_t pid; uint64_t memory; };

struct gpu {
    char uuid[TEXT_SIZE], name[TEXT_SIZE];
    double knobs[KNOB_COUNT];
    uint64_t seed, changes, calls[CLASS_COUNT];
    double last_power_read_s;
    int32_t failure_count, process_count, segment_count;
    struct failure failures[MAX_FAILURES];
    struct process processes[MAX_PROCESSES];
    struct segment segments[MAX_SEGMENTS];
};

struct control {
    uint32_t magic, gpu_count, last_init_pid;
    int32_t init_error;
    uint64_t init_calls, shutdown_calls;
    double wall_clock_offset_s;
    char driver[TEXT_SIZE];
    pthread_mutex_t mutex; /* between processes; it outlives one that dies holding it */
    struct gpu gpus[MAX_GPUS];
};

/* The control file at path, mapped; NULL where it is none. */
struct control *simulated_map(const char *path);

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static void lock(struct control *control) {
    if (pthread_mutex_lock(&control->mutex) == EOWNERDEAD) pthread_mutex_consistent(&control->mutex);
}

static void unlock(struct control *control) { pthread_mutex_unlock(&control->mutex); }

/* -- the truth --------------------------------------------------------------------------------- */

/* Nearly normal noise of mean 0 and variance 1, fixed by the seed and the number of the slice. */
static double noise_of_slice(uint64_t seed, int64_t slice) {
    uint64_t x = (seed + 1) * 0x9e3779b97f4a7c15u + (uint64_t)slice * 0xd1342543de82ef95u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    x ^= x >> 31;
    double sum = 0;
    for (int i = 0; i < 4; i++) sum += ((x >> (16 * i)) & 0xffff) / 65536.0 - 0.5;
    return sum * sqrt(3);
}

static double noise_integral_s(uint64_t seed, double t0, double t1) {
    double sum = 0;
    for (int64_t slice = (int64_t)floor(t0 / NOISE_SLICE_S); slice * NOISE_SLICE_S < t1; slice++)
        sum += noise_of_slice(seed, slice) *
            (fmin(t1, (slice + 1) * NOISE_SLICE_S) - fmax(t0, slice * NOISE_SLICE_S));
    return sum;
}

static int segment_at(const struct gpu *gpu, double t) {
    int low = 0, high = gpu->segment_count - 1;
    while (low < high) {
        int middle = (low + high + 1) / 2;
        if (gpu->segments[middle].start_s <= t) low = middle;
        else high = middle - 1;
    }
    return low;
}

/* Joules drawn from the first segment's start to t; before it the GPU drew its watts too. */
static double energy_j(const struct gpu *gpu, double t) {
    const struct segment *segment = &gpu->segments[segment_at(gpu, t)];
    double energy = segment->energy_before_j + segment->watts * (t - segment->start_s);
    if (gpu->knobs[noise] == 0 || t < segment->start_s) return energy;
    return energy + gpu->knobs[noise] * (segment->noise_before_j +
        segment->watts * noise_integral_s(gpu->seed, segment->start_s, t));
}

/* From t on the GPU draws so many watts; what was planned for later is forgotten. */
static int append_segment(struct gpu *gpu, double t, double watts) {
    int count = gpu->segment_count;
    while (count && gpu->segments[count - 1].start_s >= t) count--;
    if (count == MAX_SEGMENTS) return -1;
    struct segment next = {t, watts, 0, 0};
    if (count) {
        const struct segment *last = &gpu->segments[count - 1];
        next.energy_before_j = last->energy_before_j + last->watts * (t - last->start_s);
        next.noise_before_j = last->noise_before_j + last->watts * noise_integral_s(gpu->seed, last->start_s, t);
    }
    gpu->segments[count] = next;
    gpu->segment_count = count + 1;
    return 0;
}

/* -- the sensors ------------------------------------------------------------------------------- */

static double last_tick_s(double t, double period_ms, double phase_ms) {
    if (period_ms <= 0) return t;
    double period = period_ms / 1000, phase = phase_ms / 1000;
    return phase + floor((t - phase) / period) * period;
}

static double shown_power_w(const struct gpu *gpu, double t, int average) {
    const double *knobs = gpu->knobs;
    double window = knobs[average ? average_window_ms : instant_window_ms] / 1000;
    double tick = last_tick_s(t, knobs[average ? average_period_ms : instant_period_ms], knobs[power_phase_ms]);
    if (window <= 0) window = 1e-6;
    return (energy_j(gpu, tick) - energy_j(gpu, tick - window)) / window;
}

/* The watts at t seen through a filter of first order. */
static double low_pass_w(const struct gpu *gpu, double t, double constant_s) {
    double sum = 0, end = t;
    for (int i = segment_at(gpu, t); i >= 0 && (t - end) < 40 * constant_s; i--) {
        const struct segment *segment = &gpu->segments[i];
        double still_there = i ? exp((segment->start_s - t) / constant_s) : 0;
        sum += segment->watts * (exp((end - t) / constant_s) - still_there);
        end = segment->start_s;
    }
    return sum;
}

/* Joules that a counter has not counted yet which catches up only after seconds. */
static double missing_j(const struct gpu *gpu, double t) {
    double lag = gpu->knobs[counter_lag_s], catch_up = gpu->knobs[counter_catch_up_s];
    if (lag <= 0) return 0;
    double before = catch_up > 0 ? low_pass_w(gpu, t, catch_up) : gpu->segments[0].watts;
    return lag * (low_pass_w(gpu, t, lag) - before);
}

/* Joules by a counter that takes each period for what it saw in the last part of it. */
static double part_time_j(const struct gpu *gpu, double tick) {
    static struct { const struct gpu *gpu; uint64_t changes; int64_t ticks; double sum; } cache[MAX_GPUS], *known;
    double period = gpu->knobs[counter_period_ms] / 1000, window = gpu->knobs[counter_window_ms] / 1000;
    double first = last_tick_s(gpu->segments[0].start_s, period * 1000, gpu->knobs[counter_phase_ms]);
    int64_t ticks = llround((tick - first) / period);
    known = &cache[gpu->seed % MAX_GPUS]; /* its number: see simulated_create */
    if (known->gpu != gpu || known->changes != gpu->changes || known->ticks > ticks) {
        known->gpu = gpu;
        known->changes = gpu->changes;
        known->ticks = 0;
        known->sum = 0;
    }
    for (; known->ticks < ticks; known->ticks++) {
        double t = first + (known->ticks + 1) * period;
        known->sum += (energy_j(gpu, t) - energy_j(gpu, t - window)) / window * period;
    }
    return known->sum;
}

static double counted_j(const struct gpu *gpu, double t) {
    double tick = last_tick_s(t, gpu->knobs[counter_period_ms], gpu->knobs[counter_phase_ms]);
    if (gpu->knobs[counter_window_ms] > 0) return part_time_j(gpu, tick);
    return energy_j(gpu, tick) - missing_j(gpu, tick);
}

static double shown_counter_j(const struct gpu *gpu, double t, int module) {
    const double *knobs = gpu->knobs;
    if (t >= knobs[counter_stuck_from_s] && t < knobs[counter_stuck_until_s]) t = knobs[counter_stuck_from_s];
    double base = knobs[counter_base_j], since = gpu->segments[0].start_s, shown = counted_j(gpu, t);
    if (t >= knobs[counter_reset_at_s]) {
        base = 0;
        since = knobs[counter_reset_at_s];
        shown = fmax(0, shown - counted_j(gpu, since));
    }
    return base + shown + (module ? knobs[module_extra_w] * (t - since) : 0);
}
