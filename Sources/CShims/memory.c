#include "cshims.h"

#include <malloc.h>

void cshim_memory_trim(void) { malloc_trim(0); }
