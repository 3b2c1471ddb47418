# `cmake --install` puts the headers, the libraries and the program where find_package(mobilenet) and pkg-config
# find them.
set(public_headers benchmark.h core.h cost.h energy.h error.h fit.h model.h network.h paper.h preprocessing.h runtime.h tensor.h)
if(NOT MOBILENET_CORE_ONLY)
  list(APPEND public_headers classifier.h image.h mobilenet.h)
  install(TARGETS mobilenet EXPORT mobilenet-targets)
  install(TARGETS mobilenet-program)
endif()
list(TRANSFORM public_headers PREPEND include/mobilenet/)
install(FILES ${public_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/mobilenet)
install(TARGETS mobilenet-core EXPORT mobilenet-targets)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/mobilenet)
configure_package_config_file(cmake/mobilenet-config.cmake.in ${PROJECT_BINARY_DIR}/mobilenet-config.cmake
                              INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/mobilenet-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(EXPORT mobilenet-targets NAMESPACE mobilenet:: DESTINATION ${package_folder})
install(FILES ${PROJECT_BINARY_DIR}/mobilenet-config.cmake ${PROJECT_BINARY_DIR}/mobilenet-config-version.cmake
        DESTINATION ${package_folder})

# The prefix as seen from the .pc files, so that an installation can be moved.
file(RELATIVE_PATH MOBILENET_PC_UP /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/mobilenet-core.pc.in ${PROJECT_BINARY_DIR}/mobilenet-core.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/mobilenet-core.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(NOT MOBILENET_CORE_ONLY)
  configure_file(cmake/mobilenet.pc.in ${PROJECT_BINARY_DIR}/mobilenet.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/mobilenet.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
