"""What people read: the HTML report, its figures and the model card."""
