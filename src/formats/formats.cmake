# Sources and dependencies of the foreign formats, part of libmobilenet. (Our own is part of the core.)
target_sources(mobilenet-objects PRIVATE
  ${CMAKE_CURRENT_LIST_DIR}/batch_norms.cpp
  ${CMAKE_CURRENT_LIST_DIR}/fold_graph.cpp
  ${CMAKE_CURRENT_LIST_DIR}/foreign.cpp
  ${CMAKE_CURRENT_LIST_DIR}/graph.cpp
  ${CMAKE_CURRENT_LIST_DIR}/hdf5.cpp
  ${CMAKE_CURRENT_LIST_DIR}/hdf5_arrays.cpp
  ${CMAKE_CURRENT_LIST_DIR}/hdf5_attributes.cpp
  ${CMAKE_CURRENT_LIST_DIR}/hdf5_chunks.cpp
  ${CMAKE_CURRENT_LIST_DIR}/hdf5_dataset.cpp
  ${CMAKE_CURRENT_LIST_DIR}/hdf5_file.cpp
  ${CMAKE_CURRENT_LIST_DIR}/hdf5_filters.cpp
  ${CMAKE_CURRENT_LIST_DIR}/hdf5_header.cpp
  ${CMAKE_CURRENT_LIST_DIR}/hdf5_heaps.cpp
  ${CMAKE_CURRENT_LIST_DIR}/hdf5_layout.cpp
  ${CMAKE_CURRENT_LIST_DIR}/hdf5_links.cpp
  ${CMAKE_CURRENT_LIST_DIR}/hdf5_trees.cpp
  ${CMAKE_CURRENT_LIST_DIR}/hdf5_types.cpp
  ${CMAKE_CURRENT_LIST_DIR}/imagenet.cpp
  ${CMAKE_CURRENT_LIST_DIR}/infer_preprocessing.cpp
  ${CMAKE_CURRENT_LIST_DIR}/join_curves.cpp
  ${CMAKE_CURRENT_LIST_DIR}/keras.cpp
  ${CMAKE_CURRENT_LIST_DIR}/keras_config.cpp
  ${CMAKE_CURRENT_LIST_DIR}/keras_hdf5.cpp
  ${CMAKE_CURRENT_LIST_DIR}/keras_layers.cpp
  ${CMAKE_CURRENT_LIST_DIR}/keras_slices.cpp
  ${CMAKE_CURRENT_LIST_DIR}/keras_variables.cpp
  ${CMAKE_CURRENT_LIST_DIR}/keras_weights.cpp
  ${CMAKE_CURRENT_LIST_DIR}/load.cpp
  ${CMAKE_CURRENT_LIST_DIR}/pickle.cpp
  ${CMAKE_CURRENT_LIST_DIR}/pixel_scaling.cpp
  ${CMAKE_CURRENT_LIST_DIR}/pixel_statistics.cpp
  ${CMAKE_CURRENT_LIST_DIR}/recognise.cpp
  ${CMAKE_CURRENT_LIST_DIR}/rgb_input.cpp
  ${CMAKE_CURRENT_LIST_DIR}/tfjs.cpp
  ${CMAKE_CURRENT_LIST_DIR}/tflite.cpp
  ${CMAKE_CURRENT_LIST_DIR}/tflite_arithmetic.cpp
  ${CMAKE_CURRENT_LIST_DIR}/tflite_floats.cpp
  ${CMAKE_CURRENT_LIST_DIR}/tflite_layers.cpp
  ${CMAKE_CURRENT_LIST_DIR}/tflite_metadata.cpp
  ${CMAKE_CURRENT_LIST_DIR}/tflite_names.cpp
  ${CMAKE_CURRENT_LIST_DIR}/tflite_tensors.cpp
  ${CMAKE_CURRENT_LIST_DIR}/tflite_writer.cpp
  ${CMAKE_CURRENT_LIST_DIR}/timm_names.cpp
  ${CMAKE_CURRENT_LIST_DIR}/timm_v4.cpp
  ${CMAKE_CURRENT_LIST_DIR}/timm_writer.cpp
  ${CMAKE_CURRENT_LIST_DIR}/torch_layout.cpp
  ${CMAKE_CURRENT_LIST_DIR}/torch_names.cpp
  ${CMAKE_CURRENT_LIST_DIR}/torch_v3.cpp
  ${CMAKE_CURRENT_LIST_DIR}/torch_nodes.cpp
  ${CMAKE_CURRENT_LIST_DIR}/torch_pickle.cpp
  ${CMAKE_CURRENT_LIST_DIR}/torch_state.cpp
  ${CMAKE_CURRENT_LIST_DIR}/zip_texts.cpp)
if("ZIP" IN_LIST MOBILENET_FORMATS)
  target_sources(mobilenet-objects PRIVATE ${CMAKE_CURRENT_LIST_DIR}/torch_archive.cpp ${CMAKE_CURRENT_LIST_DIR}/zip.cpp)
endif()
set_source_files_properties(${CMAKE_CURRENT_LIST_DIR}/load.cpp ${CMAKE_CURRENT_LIST_DIR}/zip_texts.cpp PROPERTIES
                            COMPILE_DEFINITIONS "${MOBILENET_FORMAT_DEFINITIONS}")

set(generated ${CMAKE_CURRENT_BINARY_DIR}/generated)
foreach(schema IN ITEMS tflite tflite_metadata)
  add_custom_command(
    OUTPUT ${generated}/formats/${schema}_generated.h
    COMMAND ${MOBILENET_FLATC} --cpp -o ${generated}/formats ${CMAKE_CURRENT_LIST_DIR}/${schema}.fbs
    DEPENDS ${CMAKE_CURRENT_LIST_DIR}/${schema}.fbs)
  target_sources(mobilenet-objects PRIVATE ${generated}/formats/${schema}_generated.h)
endforeach()
target_include_directories(mobilenet-objects SYSTEM PRIVATE ${generated})

# ONNX, where it is built in: from the messages' description protoc makes classes, whose warnings are not ours.
if("ONNX" IN_LIST MOBILENET_FORMATS)
  target_sources(mobilenet-objects PRIVATE
    ${CMAKE_CURRENT_LIST_DIR}/onnx.cpp
    ${CMAKE_CURRENT_LIST_DIR}/onnx_arithmetic.cpp
    ${CMAKE_CURRENT_LIST_DIR}/onnx_file.cpp
    ${CMAKE_CURRENT_LIST_DIR}/onnx_maps.cpp
    ${CMAKE_CURRENT_LIST_DIR}/onnx_shapes.cpp
    ${CMAKE_CURRENT_LIST_DIR}/onnx_tensors.cpp
    ${CMAKE_CURRENT_LIST_DIR}/onnx_values.cpp
    ${CMAKE_CURRENT_LIST_DIR}/onnx_writer.cpp)
  add_custom_command(
    OUTPUT ${generated}/formats/onnx.pb.h ${generated}/formats/onnx.pb.cc
    COMMAND ${MOBILENET_PROTOC} --cpp_out=${generated}/formats --proto_path=${CMAKE_CURRENT_LIST_DIR}
            ${CMAKE_CURRENT_LIST_DIR}/onnx.proto
    DEPENDS ${CMAKE_CURRENT_LIST_DIR}/onnx.proto)
  target_sources(mobilenet-objects PRIVATE ${generated}/formats/onnx.pb.h ${generated}/formats/onnx.pb.cc)
  set_source_files_properties(${generated}/formats/onnx.pb.cc PROPERTIES COMPILE_OPTIONS -w
                                                                         SKIP_PRECOMPILE_HEADERS ON)
else()
  target_sources(mobilenet-objects PRIVATE ${CMAKE_CURRENT_LIST_DIR}/onnx_absent.cpp)
endif()
