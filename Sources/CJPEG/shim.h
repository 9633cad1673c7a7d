#include <stdio.h> // jpeglib.h needs it and does not say so
#include <jpeglib.h>
