//! Given events, when a command, then events or a refusal; grouped by phase.
