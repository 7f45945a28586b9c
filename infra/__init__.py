"""What surrounds the application: its AWS template and policies, and the stack of one machine."""
