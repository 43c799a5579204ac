"""What is live, compared with what was declared; what is left over; the hours they run."""
