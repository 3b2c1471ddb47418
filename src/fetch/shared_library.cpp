#include "fetch/shared_library.h"

#include <dlfcn.h>

#include "base/fail.h"

namespace mobilenet {

SharedLibrary::SharedLibrary(const char* file, const char* package)
    : file_(file), handle_(dlopen(file, RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr)
    Fail(file, ": can't be loaded, which fetching and checking weights needs: install ", package, " (",
         dlerror(), ")");
}

void* SharedLibrary::Symbol(const char* name) const {
  void* symbol = dlsym(handle_, name);
  if (symbol == nullptr) Fail(file_, ": has no ", name, ": it is too old");
  return symbol;
}

}  // namespace mobilenet
