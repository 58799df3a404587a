"""What a line says and knows: YAML, validated, frozen per call."""
