"""What every room shares: errors, clock, nouns, settings, telemetry, logs. Knows no other room."""
