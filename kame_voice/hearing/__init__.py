"""What the call hears: voice activity, echo, and the turns a caller takes."""
