"""A phone line that answers at once and knows the business."""

__version__ = "0.1.0"
