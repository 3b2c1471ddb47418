# Published weights, part of libmobilenet. Without libcurl and libcrypto the table and the cache are there all the same.
target_sources(mobilenet-objects PRIVATE ${CMAKE_CURRENT_LIST_DIR}/get.cpp ${CMAKE_CURRENT_LIST_DIR}/part_file.cpp
                                         ${CMAKE_CURRENT_LIST_DIR}/published_weights.cpp)
if(MOBILENET_GETS)
  target_sources(mobilenet-objects PRIVATE ${CMAKE_CURRENT_LIST_DIR}/digest.cpp ${CMAKE_CURRENT_LIST_DIR}/http.cpp
                                           ${CMAKE_CURRENT_LIST_DIR}/shared_library.cpp)
  target_include_directories(mobilenet-objects SYSTEM PRIVATE ${mobilenet_GET_INCLUDE_DIRS})
else()
  target_sources(mobilenet-objects PRIVATE ${CMAKE_CURRENT_LIST_DIR}/absent.cpp)
endif()
