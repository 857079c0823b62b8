/* What a test calls through ctypes to set up simulated GPUs and to ask for the truth. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "model.h"

static const char *const knob_names[] = {
#define KNOB_NAME(name, value) #name,
    KNOBS(KNOB_NAME)
};
static const double knob_values[] = {
#define KNOB_VALUE(name, value) value,
    KNOBS(KNOB_VALUE)
};
static const char *const class_names[] = {
#define CLASS_NAME(name) #name,
    CLASSES(CLASS_NAME)
};

const char *simulated_knob_name(int knob) { return knob < KNOB_COUNT ? knob_names[knob] : NULL; }
const char *simulated_class_name(int class) { return class < CLASS_COUNT ? class_names[class] : NULL; }

struct control *simulated_map(const char *path) {
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) return NULL;
    int whole = lseek(file, 0, SEEK_END) >= (off_t)sizeof(struct control);
    struct control *found = whole
        ? mmap(NULL, sizeof *found, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;
    close(file);
    return found != MAP_FAILED && found->magic == MAGIC ? found : NULL;
}

/* Makes the control file of `gpus` GPUs which draw `watts` since a minute ago. */
struct control *simulated_create(const char *path, unsigned int gpus, uint64_t seed, double watts) {
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || gpus > MAX_GPUS || ftruncate(file, sizeof(struct control))) return NULL;
    struct control *made = mmap(NULL, sizeof *made, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (made == MAP_FAILED) return NULL;
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    made->wall_clock_offset_s = wall.tv_sec + wall.tv_nsec * 1e-9 - now_s();
    made->gpu_count = gpus;
    pthread_mutexattr_t shared;
    pthread_mutexattr_init(&shared);
    pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&shared, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&made->mutex, &shared);
    for (unsigned int i = 0; i < gpus; i++) {
        struct gpu *gpu = &made->gpus[i];
        memcpy(gpu->knobs, knob_values, sizeof gpu->knobs);
        gpu->seed = seed * MAX_GPUS + i;
        gpu->last_power_read_s = -INFINITY;
        append_segment(gpu, now_s() - 60, watts);
    }
    made->magic = MAGIC;
    return made;
}

void simulated_unmap(struct control *control) { munmap(control, sizeof *control); }
unsigned int simulated_gpu_count(struct control *control) { return control->gpu_count; }
unsigned long long simulated_init_calls(struct control *control) { return control->init_calls; }
unsigned long long simulated_shutdown_calls(struct control *control) { return control->shutdown_calls; }
unsigned int simulated_last_init_pid(struct control *control) { return control->last_init_pid; }
void simulated_set_init_error(struct control *control, int code) { control->init_error = code; }
char *simulated_driver(struct control *control) { return control->driver; }
char *simulated_uuid(struct control *control, int gpu) { return control->gpus[gpu].uuid; }
char *simulated_name(struct control *control, int gpu) { return control->gpus[gpu].name; }

void simulated_set_text(struct control *control, char *text, const char *value) {
    lock(control);
    strncpy(text, value, TEXT_SIZE - 1);
    unlock(control);
}

double simulated_knob(struct control *control, int gpu, int knob) { return control->gpus[gpu].knobs[knob]; }

void simulated_set_knob(struct control *control, int gpu, int knob, double value) {
    lock(control);
    control->gpus[gpu].knobs[knob] = value;
    control->gpus[gpu].changes++;
    unlock(control);
}

unsigned long long simulated_calls(struct control *control, int gpu, int class) {
    return control->gpus[gpu].calls[class];
}

/* From t_s on, or from now on where that is NAN; returns the moment, or NAN where there is no room. */
double simulated_append(struct control *control, int gpu, double t_s, double watts) {
    lock(control);
    double now = now_s(), t = isnan(t_s) ? now : t_s;
    int full = append_segment(&control->gpus[gpu], t, watts);
    if (t < now) control->gpus[gpu].changes++;
    unlock(control);
    return full ? NAN : t;
}

double simulated_true_energy_j(struct control *control, int gpu, double t0, double t1) {
    lock(control);
    double energy = energy_j(&control->gpus[gpu], t1) - energy_j(&control->gpus[gpu], t0);
    unlock(control);
    return energy;
}

double simulated_watts(struct control *control, int gpu, double t) {
    lock(control);
    double watts = control->gpus[gpu].segments[segment_at(&control->gpus[gpu], t)].watts;
    unlock(control);
    return watts;
}

int simulated_fail(struct control *control, int gpu, unsigned int classes, int code, double from_s, double until_s) {
    lock(control);
    struct gpu *chosen = &control->gpus[gpu];
    int room = chosen->failure_count < MAX_FAILURES;
    if (room) chosen->failures[chosen->failure_count++] = (struct failure){classes, code, from_s, until_s};
    unlock(control);
    return room;
}

void simulated_heal(struct control *control, int gpu) {
    lock(control);
    control->gpus[gpu].failure_count = 0;
    unlock(control);
}

void simulated_set_processes(struct control *control, int gpu, int count, const struct process *processes) {
    lock(control);
    control->gpus[gpu].process_count = count;
    memcpy(control->gpus[gpu].processes, processes, count * sizeof *processes);
    unlock(control);
}
