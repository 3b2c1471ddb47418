# Every dependency, found once for all folders. What is linked privately stays private.
find_package(Threads REQUIRED)
find_package(nlohmann_json REQUIRED)  # headers only: nothing of it is linked
find_path(MOBILENET_HIGHWAY_INCLUDE hwy/highway.h REQUIRED)  # headers only, too

if(NOT MOBILENET_CORE_ONLY)
  find_package(PkgConfig REQUIRED)
  find_package(JPEG REQUIRED)
  find_package(PNG REQUIRED)
  find_package(ZLIB REQUIRED)
  # Under a name of our own: an application may look for WEBP itself, with other modules.
  pkg_check_modules(mobilenet_WEBP REQUIRED IMPORTED_TARGET libwebp libwebpdemux)
  include(${CMAKE_CURRENT_LIST_DIR}/OptionalFormats.cmake)
  include(${CMAKE_CURRENT_LIST_DIR}/OptionalGet.cmake)
  find_program(MOBILENET_FLATC flatc REQUIRED)
endif()
if(MOBILENET_PROGRAM)
  find_package(CLI11 REQUIRED)
  find_package(fmt REQUIRED)
endif()
if(MOBILENET_TESTS)
  find_package(GTest REQUIRED)
endif()
if(MOBILENET_BENCH)
  find_package(benchmark REQUIRED)
endif()
