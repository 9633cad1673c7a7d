#ifndef CSHIMS_H
#define CSHIMS_H
#endif
