# Every dependency, found once for all folders. What is linked privately stays private.
find_package(Threads REQUIRED)
find_package(nlohmann_json REQUIRED)  # headers only: nothing of it is linked
find_path(MOBILENET_HIGHWAY_INCLUDE hwy/highway.h REQUIRED)  # headers only, too

if(NOT MOBILENET_CORE_ONLY)
  find_package(PkgConfig REQUIRED)
  find_package(JPEG REQUIRED)
  find_package(PNG REQUIRED)
  pkg_check_modules(WEBP REQUIRED IMPORTED_TARGET libwebp libwebpdemux)
  find_program(FLATC flatc REQUIRED)
  find_package(CLI11 REQUIRED)
  find_package(fmt REQUIRED)
endif()
if(MOBILENET_TESTS)
  find_package(GTest REQUIRED)
endif()
if(MOBILENET_BENCH AND MOBILENET_TESTS)
  find_package(benchmark REQUIRED)
endif()
