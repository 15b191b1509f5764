// What the fields of operators' messages must be: those about controls and about keys. Every error
// names the field.
#pragma once

#include "coordinator/edge/field_checks.h"

namespace zq::edge::field {

Check set_control(const wire::SetControl& m);
Check controls(const wire::Controls& m);
Check set_access(const wire::SetAccess& m);
Check rotate(const wire::Rotate& m);

}  // namespace zq::edge::field
