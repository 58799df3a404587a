"""What is made of finished calls for those who review them. Knows no web page and no running call."""
