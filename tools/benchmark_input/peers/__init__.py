"""One loader a file, each as its own documentation recommends it; see source.Loader."""
