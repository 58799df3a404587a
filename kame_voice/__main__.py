"""`python -m kame_voice`."""

from kame_voice.cli import main

if __name__ == "__main__":
    main()
