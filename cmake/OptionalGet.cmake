# Fetching published weights, which a build may do without: MOBILENET_GET is AUTO (where libcurl and OpenSSL's
# libcrypto are found), ON (needed) or OFF. Their headers alone are used: the libraries are opened when something is
# fetched, so that nothing of them is linked and no start waits for them. MOBILENET_GETS is 1 or 0.
set(MOBILENET_GET AUTO CACHE STRING "Fetch published weights: AUTO (where libcurl and libcrypto are found), ON or OFF")
set_property(CACHE MOBILENET_GET PROPERTY STRINGS AUTO ON OFF)
set(MOBILENET_GETS 0)
if(MOBILENET_GET)
  if(NOT MOBILENET_GET STREQUAL AUTO)
    set(needed REQUIRED)
  endif()
  # 7.85 is the first with protocols by name; the names of the libraries are those of OpenSSL 3.
  pkg_check_modules(mobilenet_GET ${needed} libcurl>=7.85 libcrypto>=3)
  if(mobilenet_GET_FOUND)
    set(MOBILENET_GETS 1)
  endif()
  unset(needed)
endif()
if(NOT MOBILENET_GETS)
  message(STATUS "mobilenet: published weights will not be fetched")
endif()
