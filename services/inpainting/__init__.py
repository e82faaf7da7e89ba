"""Takes marked things out of photos and hands the photos back as they came."""
