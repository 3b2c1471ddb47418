// Going through memory by bytes: how far rows are apart does not depend on what they hold.
#pragma once

#include <cstddef>
#include <type_traits>

namespace mobilenet {

template <typename T>
T* AddBytes(T* pointer, std::size_t bytes) {
  using Byte = std::conditional_t<std::is_const_v<T>, const std::byte, std::byte>;
  return reinterpret_cast<T*>(reinterpret_cast<Byte*>(pointer) + bytes);
}

}  // namespace mobilenet
