"""What pages stand on: templates, static files, error pages. The pages themselves are in rooms beside it."""
