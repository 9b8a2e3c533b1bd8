//! What every process needs once: configuration, telemetry, lifecycle, health and admin listener, clock.
