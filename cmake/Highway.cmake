# Sets MOBILENET_HIGHWAY to what libmobilenet-core links: Debian's shared library, or with
# MOBILENET_STATIC_HIGHWAY the static one that scripts/static-highway built (or any other in CMAKE_PREFIX_PATH).
if(MOBILENET_STATIC_HIGHWAY)
  find_library(MOBILENET_LIBHWY libhwy.a PATHS ${PROJECT_SOURCE_DIR}/build/static-highway/lib)
  if(NOT MOBILENET_LIBHWY)
    message(FATAL_ERROR "libhwy.a was not found: run scripts/static-highway, or add its folder to CMAKE_PREFIX_PATH")
  endif()
  set(MOBILENET_HIGHWAY ${MOBILENET_LIBHWY})
  set(MOBILENET_HIGHWAY_PC_LIBS ${MOBILENET_LIBHWY})
else()
  find_package(hwy REQUIRED)
  set(MOBILENET_HIGHWAY hwy::hwy)
  set(MOBILENET_HIGHWAY_PC_LIBS -lhwy)
endif()
