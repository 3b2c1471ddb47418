# `cmake --install` puts the headers, the libraries and the program where find_package(mobilenet) and pkg-config
# find them. The core is a component of its own, to be found where nothing else is.
include(CMakePackageConfigHelpers)

file(GLOB public_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/mobilenet/*.h)
if(MOBILENET_CORE_ONLY)  # core.h names what the core has
  file(STRINGS ${PROJECT_SOURCE_DIR}/include/mobilenet/core.h core_headers REGEX "^#include \"mobilenet/")
  list(TRANSFORM core_headers REPLACE "^#include \"(.*)\"$" "${PROJECT_SOURCE_DIR}/include/\\1")
  set(public_headers ${PROJECT_SOURCE_DIR}/include/mobilenet/core.h ${core_headers})
endif()
install(FILES ${public_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/mobilenet)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/mobilenet)
set(components core)
install(TARGETS mobilenet-core EXPORT mobilenet-core)
install(EXPORT mobilenet-core NAMESPACE mobilenet:: DESTINATION ${package_folder})
if(NOT MOBILENET_CORE_ONLY)
  list(APPEND components photos)
  install(TARGETS mobilenet EXPORT mobilenet-photos)
  install(EXPORT mobilenet-photos NAMESPACE mobilenet:: DESTINATION ${package_folder})
endif()
if(MOBILENET_PROGRAM)
  install(TARGETS mobilenet-program)
endif()

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/mobilenet-config.cmake.in
                              ${PROJECT_BINARY_DIR}/mobilenet-config.cmake INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/mobilenet-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/mobilenet-config.cmake ${PROJECT_BINARY_DIR}/mobilenet-config-version.cmake
        DESTINATION ${package_folder})

# The prefix as seen from the .pc files, so that an installation can be moved.
file(RELATIVE_PATH up /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
# A static library needs what it calls at the application's link; a shared one has found it.
if(BUILD_SHARED_LIBS)
  set(core_needs "")
  set(photos_needs "")
else()
  set(core_needs " -pthread")
  list(JOIN MOBILENET_FORMAT_MODULES " " format_modules)
  set(photos_needs "mobilenet-core libjpeg libpng libwebp libwebpdemux zlib ${format_modules}")
endif()
set(pc_files mobilenet-core.pc)
if(NOT MOBILENET_CORE_ONLY)
  list(APPEND pc_files mobilenet.pc)
endif()
foreach(file IN LISTS pc_files)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/${file}.in ${PROJECT_BINARY_DIR}/${file} @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${file} DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
