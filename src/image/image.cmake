# Sources and dependencies of src/image, part of libmobilenet.
target_sources(mobilenet-objects PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/bmp.cpp
  ${CMAKE_CURRENT_LIST_DIR}/bmp_runs.cpp
  ${CMAKE_CURRENT_LIST_DIR}/decode.cpp
  ${CMAKE_CURRENT_LIST_DIR}/exif.cpp
  ${CMAKE_CURRENT_LIST_DIR}/jpeg.cpp
  ${CMAKE_CURRENT_LIST_DIR}/orient.cpp
  ${CMAKE_CURRENT_LIST_DIR}/png.cpp
  ${CMAKE_CURRENT_LIST_DIR}/preprocess.cpp
  ${CMAKE_CURRENT_LIST_DIR}/resize.cpp
  ${CMAKE_CURRENT_LIST_DIR}/resize_passes.cpp
  ${CMAKE_CURRENT_LIST_DIR}/resize_taps.cpp
  ${CMAKE_CURRENT_LIST_DIR}/shrink.cpp
  ${CMAKE_CURRENT_LIST_DIR}/signatures.cpp
  ${CMAKE_CURRENT_LIST_DIR}/webp.cpp)

set(image_libraries JPEG::JPEG PNG::PNG ZLIB::ZLIB PkgConfig::mobilenet_WEBP ${MOBILENET_FORMAT_LIBRARIES})
set(GIF_sources gif.cpp)
set(TIFF_sources tiff.cpp tiff_file.cpp)
set(HEIF_sources coded_frames.cpp coded_size.cpp heif.cpp heif_items.cpp)
foreach(format IN LISTS MOBILENET_FORMATS)
  list(TRANSFORM ${format}_sources PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
  target_sources(mobilenet-objects PRIVATE ${${format}_sources})
endforeach()
set_source_files_properties(${CMAKE_CURRENT_LIST_DIR}/decode.cpp PROPERTIES
                            COMPILE_DEFINITIONS "${MOBILENET_FORMAT_DEFINITIONS}")
target_link_libraries(mobilenet-objects PRIVATE ${image_libraries})
