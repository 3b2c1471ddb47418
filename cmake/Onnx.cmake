# ONNX, which a build may do without: MOBILENET_ONNX is AUTO (where protobuf's lite runtime and its compiler are found),
# ON (needed) or OFF. MOBILENET_ONNX_BUILT_IN is ONNX where it is built in, and empty else.
set(MOBILENET_ONNX AUTO CACHE STRING "Read and write ONNX models: AUTO (where protobuf is found), ON or OFF")
set_property(CACHE MOBILENET_ONNX PROPERTY STRINGS AUTO ON OFF)
set(MOBILENET_ONNX_BUILT_IN "")
set(MOBILENET_ONNX_MODULE "")     # its name for pkg-config
set(MOBILENET_ONNX_LIBRARIES "")  # what is linked
if(MOBILENET_ONNX STREQUAL AUTO)
  find_program(MOBILENET_PROTOC protoc)
  pkg_check_modules(mobilenet_ONNX IMPORTED_TARGET protobuf-lite>=3.21)
elseif(MOBILENET_ONNX)
  find_program(MOBILENET_PROTOC protoc REQUIRED)
  pkg_check_modules(mobilenet_ONNX REQUIRED IMPORTED_TARGET protobuf-lite>=3.21)
endif()
if(MOBILENET_ONNX AND MOBILENET_PROTOC AND mobilenet_ONNX_FOUND)
  set(MOBILENET_ONNX_BUILT_IN ONNX)
  set(MOBILENET_ONNX_MODULE protobuf-lite)
  set(MOBILENET_ONNX_LIBRARIES PkgConfig::mobilenet_ONNX)
else()
  message(STATUS "mobilenet: ONNX models will not be read or written")
endif()
