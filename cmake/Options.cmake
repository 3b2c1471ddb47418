# What a build may switch, and the flags that every target of ours is compiled with. As a part of another project
# (add_subdirectory, FetchContent) it is the library alone, and the other's settings are left as they are.

option(MOBILENET_CORE_ONLY "Build only libmobilenet-core: no images, no foreign formats, no program" OFF)
option(MOBILENET_PROGRAM "Build the program" ${PROJECT_IS_TOP_LEVEL})
option(MOBILENET_INSTALL "Let `cmake --install` install it" ${PROJECT_IS_TOP_LEVEL})
option(MOBILENET_TESTS "Build the tests" OFF)
option(MOBILENET_BENCH "Build the benchmarks of kernels and pictures" OFF)
option(MOBILENET_FUZZ "Build the libFuzzer targets (clang)" OFF)
option(MOBILENET_WERROR "Treat warnings as errors" ${PROJECT_IS_TOP_LEVEL})
option(MOBILENET_EMULATE_F16 "For tests: half precision without the instruction for it, slowly" OFF)
set(MOBILENET_SANITIZE "" CACHE STRING "Sanitizers for every target of ours, such as address,undefined")
if(MOBILENET_CORE_ONLY)
  set(MOBILENET_PROGRAM OFF)
endif()

if(PROJECT_IS_TOP_LEVEL)
  option(BUILD_SHARED_LIBS "Build shared libraries instead of static ones" OFF)
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
  endif()
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  find_program(MOBILENET_CCACHE ccache)
  if(MOBILENET_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${MOBILENET_CCACHE})
  endif()
elseif(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  message(NOTICE "mobilenet: there is no CMAKE_BUILD_TYPE, so that nothing is optimised: networks run many times slower")
endif()
set(CMAKE_CXX_EXTENSIONS OFF)  # here and below only, as every variable that is not cached

# Private settings of our own targets; nothing of this reaches a user of the installed library.
add_library(mobilenet-settings INTERFACE)
target_compile_features(mobilenet-settings INTERFACE cxx_std_20)
target_compile_options(mobilenet-settings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                                                    -Wno-sign-conversion -Wnon-virtual-dtor -Wold-style-cast)
# GCC has no warning for what a class declares for itself and never calls.
target_compile_options(mobilenet-settings INTERFACE $<$<CXX_COMPILER_ID:Clang>:-Wunused-member-function>)
if(MOBILENET_WERROR)
  target_compile_options(mobilenet-settings INTERFACE -Werror)
endif()
# Sections, so that a program that links the core statically carries only what it calls.
target_compile_options(mobilenet-settings INTERFACE $<$<CONFIG:Release>:-ffunction-sections;-fdata-sections>)
if(MOBILENET_SANITIZE)
  target_compile_options(mobilenet-settings INTERFACE -fsanitize=${MOBILENET_SANITIZE} -fno-omit-frame-pointer
                                                      -fno-sanitize-recover=all)
  target_link_options(mobilenet-settings INTERFACE -fsanitize=${MOBILENET_SANITIZE})
endif()
