"""One call from answer to hang-up."""
