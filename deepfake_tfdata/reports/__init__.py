"""What people look at: every HTML page and every plot, made of what other rooms found."""
