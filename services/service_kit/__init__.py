"""What every service shares and none owns."""
