#ifndef CJAILABI_H
#define CJAILABI_H
#include "cj_plan.h"
#include "cj_uapi.h"
#endif
