"""What NVML's numbers mean to a user: errors as sentences, bits as names, GPUs as kinds of sensors. Pure."""

UNINITIALIZED = 1
NOT_SUPPORTED = 3
NO_PERMISSION = 4
DRIVER_NOT_LOADED = 9
LIBRARY_NOT_FOUND = 12
GPU_IS_LOST = 15
RESET_REQUIRED = 16
LIB_RM_VERSION_MISMATCH = 18

FIELD_TOTAL_ENERGY = 83
FIELD_AVERAGE_POWER = 185
FIELD_INSTANT_POWER = 186
FIELD_ENERGY = 191
SCOPES = {"gpu": 0, "module": 1}

MISSED = frozenset({NOT_SUPPORTED, 10, 19, 21, 27})
"""Of a sensor that works: asked too fast, timeout, in use, no data, not ready. It may be read again."""

UNKNOWN = 999
"""Of a sensor that works: drivers say so now and then, for a moment. Read again, unless it stays."""

ABSENT = MISSED | {2, 13}
"""Of a sensor that may not be there: as above, field or scope unknown, function unknown."""

NOTHING_THERE = frozenset({DRIVER_NOT_LOADED, LIBRARY_NOT_FOUND})
"""Of opening: no GPU is to be expected on this machine."""

_ACCESS = "Give this user read and write access to /dev/nvidia*"

_OPENING = {
    LIBRARY_NOT_FOUND: "libnvidia-ml.so.1 not found. Install the NVIDIA driver, "
    "or give the container its GPUs (docker run --gpus all).",
    DRIVER_NOT_LOADED: "driver not loaded. Load the NVIDIA driver until nvidia-smi works, "
    "or choose another --whq-source.",
    NO_PERMISSION: f"no permission to talk to the driver. {_ACCESS}.",
    LIB_RM_VERSION_MISMATCH: "library and driver differ in version. Load the installed driver, or reboot.",
}

_READING = {
    GPU_IS_LOST: "{gpu} is lost: it fell off the bus. Reset it or reboot, "
    "or leave it out with --whq-devices.",
    RESET_REQUIRED: "{gpu} needs a reset. Run nvidia-smi --gpu-reset, or leave it out with --whq-devices.",
    NO_PERMISSION: f"no permission to read {{gpu}}. {_ACCESS}, or leave it out with --whq-devices.",
    UNINITIALIZED: "other code in this process shut NVML down. Let it call nvmlShutdown only as often as "
    "nvmlInit.",
}

_CLOCKS_EVENT_REASONS = (
    "gpu_idle",
    "applications_clocks_setting",
    "sw_power_cap",
    "hw_slowdown",
    "sync_boost",
    "sw_thermal_slowdown",
    "hw_thermal_slowdown",
    "hw_power_brake_slowdown",
    "display_clock_setting",
)
"""By the number of their bit, as nvidia-smi calls them."""

_VOLTA, _TURING, _AMPERE, _ADA, _HOPPER = 5, 6, 7, 8, 9


def opening_sentence(code: int, error: object) -> str:
    """Why NVML cannot be opened, and what to do about it."""
    return "nvml: " + _OPENING.get(code, f"it cannot be opened ({error}). See what nvidia-smi says.")


def reading_sentence(code: int, error: object, gpu: str) -> str:
    """Why ``gpu`` cannot be read, and what to do about it."""
    other = f"{{gpu}} cannot be read ({error}). See what nvidia-smi says, or leave it out with --whq-devices."
    return "nvml: " + _READING.get(code, other).format(gpu=gpu)


def clocks_event_names(bits: int) -> tuple[str, ...]:
    """The reasons for which the clocks are not at their highest; one without a name is left out."""
    return tuple(name for bit, name in enumerate(_CLOCKS_EVENT_REASONS) if bits >> bit & 1)


def averaging_s(sensor: str, architecture: int | None, is_ga100: bool) -> float:
    """Seconds over which a power sensor averages: ``instant power``, ``power usage``, ``average power``.

    As measured on drivers since 530 (arXiv 2312.02741); where the GPU is unknown, the longest.
    """
    if sensor == "average power" or architecture is None:
        return 1.0
    if architecture >= _AMPERE and not is_ga100 and sensor == "power usage":
        return 1.0
    if architecture >= _HOPPER or is_ga100:
        return 0.025
    return 0.1 if architecture >= _TURING else 0.01
