// Libraries that are opened when they are needed first. Linked, libcurl and what it brings take 9 ms of every
// start, as long as classifying a photo does; and nearly no start fetches anything.
#pragma once

#include <string>

namespace mobilenet {

// Never closed again. Safe from any thread.
class SharedLibrary {
 public:
  // Opens `file` ("libcurl.so.4"). Throws Error where it can't be opened, naming the Debian package to
  // install.
  SharedLibrary(const char* file, const char* package);

  // The function `name`, of which F is the type. Throws Error where there is none.
  template <typename F>
  F* Function(const char* name) const {
    return reinterpret_cast<F*>(Symbol(name));
  }

 private:
  [[nodiscard]] void* Symbol(const char* name) const;

  std::string file_;
  void* handle_;
};

}  // namespace mobilenet
