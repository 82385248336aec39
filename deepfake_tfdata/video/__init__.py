"""From a video file to the clips of its regions. OpenCV, Pillow and PyAV are used here and nowhere else."""
