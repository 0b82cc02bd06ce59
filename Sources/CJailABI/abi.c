#include "CJailABI.h"

// Header-only: SwiftPM wants one source in each C target.
