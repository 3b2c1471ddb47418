# Formats that a build may do without: MOBILENET_GIF, MOBILENET_TIFF, MOBILENET_HEIF and MOBILENET_ZIP are AUTO (where
# the library is found), ON (needed) or OFF. MOBILENET_FORMATS are those that are built in.
set(MOBILENET_FORMATS "")
set(MOBILENET_FORMAT_MODULES "")      # their names for pkg-config
set(MOBILENET_FORMAT_LIBRARIES "")    # what is linked
set(MOBILENET_FORMAT_DEFINITIONS "")  # MOBILENET_READS_GIF=0 or 1, and so on

function(find_optional_format format what module version)
  set(MOBILENET_${format} AUTO CACHE STRING "Read ${what}: AUTO (where ${module} is found), ON or OFF")
  set_property(CACHE MOBILENET_${format} PROPERTY STRINGS AUTO ON OFF)
  set(reads 0)
  if(MOBILENET_${format} STREQUAL AUTO)
    pkg_check_modules(mobilenet_${format} IMPORTED_TARGET ${module}>=${version})
  elseif(MOBILENET_${format})
    pkg_check_modules(mobilenet_${format} REQUIRED IMPORTED_TARGET ${module}>=${version})
  endif()
  if(MOBILENET_${format} AND mobilenet_${format}_FOUND)
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
find_optional_format(ZIP "PyTorch's archives" libzip 1.7)
