# Formats that a build may do without: MOBILENET_GIF, _TIFF, _HEIF, _ZIP and _ONNX are AUTO (where the library is found),
# ON (needed) or OFF. MOBILENET_FORMATS are those that are built in.
set(MOBILENET_FORMATS "")
set(MOBILENET_FORMAT_MODULES "")      # their names for pkg-config
set(MOBILENET_FORMAT_LIBRARIES "")    # what is linked
set(MOBILENET_FORMAT_DEFINITIONS "")  # MOBILENET_READS_GIF=0 or 1, and so on

# Further arguments name programs that a format's build needs, too: found as MOBILENET_PROTOC and so on.
function(find_optional_format format what module version)
  set(MOBILENET_${format} AUTO CACHE STRING "Read ${what}: AUTO (where ${module} is found), ON or OFF")
  set_property(CACHE MOBILENET_${format} PROPERTY STRINGS AUTO ON OFF)
  set(reads 0)
  if(MOBILENET_${format} STREQUAL AUTO)
    set(needed "")
  else()
    set(needed REQUIRED)
  endif()
  if(MOBILENET_${format})
    pkg_check_modules(mobilenet_${format} ${needed} IMPORTED_TARGET ${module}>=${version})
    set(complete ${mobilenet_${format}_FOUND})
    foreach(program IN LISTS ARGN)
      string(TOUPPER MOBILENET_${program} variable)
      find_program(${variable} ${program} ${needed})
      if(NOT ${variable})
        set(complete FALSE)
      endif()
    endforeach()
  endif()
  if(MOBILENET_${format} AND complete)
    set(reads 1)
    set(MOBILENET_FORMATS ${MOBILENET_FORMATS} ${format} PARENT_SCOPE)
    set(MOBILENET_FORMAT_MODULES ${MOBILENET_FORMAT_MODULES} ${module} PARENT_SCOPE)
    set(MOBILENET_FORMAT_LIBRARIES ${MOBILENET_FORMAT_LIBRARIES} PkgConfig::mobilenet_${format} PARENT_SCOPE)
  else()
    message(STATUS "mobilenet: ${what} will not be read")
  endif()
  set(MOBILENET_FORMAT_DEFINITIONS ${MOBILENET_FORMAT_DEFINITIONS} MOBILENET_READS_${format}=${reads} PARENT_SCOPE)
endfunction()

find_optional_format(GIF "GIF pictures" libgif 5)
find_optional_format(TIFF "TIFF pictures" libtiff-4 4.5)  # the first with a handler of errors for each file
find_optional_format(HEIF "HEIC and AVIF pictures" libheif 1.15)
find_optional_format(ZIP "PyTorch's and Keras's archives" libzip 1.7)
find_optional_format(ONNX "ONNX models" protobuf-lite 3.21 protoc)
