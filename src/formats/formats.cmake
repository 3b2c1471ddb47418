# Sources and dependencies of the foreign formats, part of libmobilenet. (Our own is part of the core.)
target_sources(mobilenet-objects PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/fold_graph.cpp
  ${CMAKE_CURRENT_LIST_DIR}/foreign.cpp
  ${CMAKE_CURRENT_LIST_DIR}/graph.cpp
  ${CMAKE_CURRENT_LIST_DIR}/hdf5.cpp
  ${CMAKE_CURRENT_LIST_DIR}/imagenet.cpp
  ${CMAKE_CURRENT_LIST_DIR}/infer_preprocessing.cpp
  ${CMAKE_CURRENT_LIST_DIR}/keras.cpp
  ${CMAKE_CURRENT_LIST_DIR}/keras_config.cpp
  ${CMAKE_CURRENT_LIST_DIR}/keras_hdf5.cpp
  ${CMAKE_CURRENT_LIST_DIR}/keras_weights.cpp
  ${CMAKE_CURRENT_LIST_DIR}/load.cpp
  ${CMAKE_CURRENT_LIST_DIR}/pixel_statistics.cpp
  ${CMAKE_CURRENT_LIST_DIR}/recognise.cpp
  ${CMAKE_CURRENT_LIST_DIR}/tflite.cpp
  ${CMAKE_CURRENT_LIST_DIR}/torch_names.cpp)

set(generated ${CMAKE_CURRENT_BINARY_DIR}/generated)
add_custom_command(
  OUTPUT ${generated}/formats/tflite_generated.h
  COMMAND ${MOBILENET_FLATC} --cpp -o ${generated}/formats ${CMAKE_CURRENT_LIST_DIR}/tflite.fbs
  DEPENDS ${CMAKE_CURRENT_LIST_DIR}/tflite.fbs)
target_sources(mobilenet-objects PRIVATE ${generated}/formats/tflite_generated.h)
target_include_directories(mobilenet-objects SYSTEM PRIVATE ${generated})
