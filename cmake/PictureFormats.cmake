# Formats of pictures that a build may do without: MOBILENET_GIF, MOBILENET_TIFF and MOBILENET_HEIF are AUTO (where the
# library is found), ON (needed) or OFF. MOBILENET_FORMATS are those that are built in.
set(MOBILENET_FORMATS "")
set(MOBILENET_FORMAT_MODULES "")      # their names for pkg-config
set(MOBILENET_FORMAT_LIBRARIES "")    # what is linked
set(MOBILENET_FORMAT_DEFINITIONS "")  # MOBILENET_READS_GIF=0 or 1, and so on

function(find_picture_format format module version)
  set(MOBILENET_${format} AUTO CACHE STRING "Read ${format} pictures: AUTO (where ${module} is found), ON or OFF")
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
    message(STATUS "mobilenet: ${format} pictures will not be read")
  endif()
  set(MOBILENET_FORMAT_DEFINITIONS ${MOBILENET_FORMAT_DEFINITIONS} MOBILENET_READS_${format}=${reads} PARENT_SCOPE)
endfunction()

find_picture_format(GIF libgif 5)
find_picture_format(TIFF libtiff-4 4.5)  # the first with a handler of errors for each file
find_picture_format(HEIF libheif 1.15)   # HEIC and AVIF
