"""What travels over the wire: one module of messages for each noun."""
