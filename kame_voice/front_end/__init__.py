"""Speech models that hear and speak. Know audio and hearing; know nothing of legs or the back end."""
