"""Makes tf2onnx.onnx and keras.onnx of random weights, and their answers by ONNX Runtime in keras.json. Needs tensorflow,
tf2onnx, keras and onnxruntime: python3 make_keras.py"""

import keras
import numpy as np
import tensorflow as tf
import tf2onnx

from answers import write_answers


def randomise(model):
    generator = np.random.default_rng(1)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.gamma.shape
            layer.set_weights([generator.uniform(low, high, shape)
                               for low, high in [(0.5, 1.5), (-0.5, 0.5), (-0.5, 0.5), (0.5, 1.5)]])
    return model


def block(x, channels, stride):
    if stride == 2:
        x = keras.layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
    x = keras.layers.DepthwiseConv2D(3, stride, "same" if stride == 1 else "valid", use_bias=False)(x)
    x = keras.layers.ReLU(6.0)(keras.layers.BatchNormalization()(x))
    x = keras.layers.Conv2D(channels, 1, use_bias=False)(x)
    return keras.layers.ReLU(6.0)(keras.layers.BatchNormalization()(x))


keras.utils.set_random_seed(1)
source = keras.Input((33, 40, 3), name="image")
x = keras.layers.Conv2D(8, 3, 2, "same", use_bias=False)(source)
x = keras.layers.ReLU(6.0)(keras.layers.BatchNormalization()(x))
x = block(block(x, 12, 1), 16, 2)
x = keras.layers.Dropout(0.1)(keras.layers.GlobalAveragePooling2D()(x))
model = randomise(keras.Model(source, keras.layers.Dense(5, "softmax")(x)))
model(np.zeros((1, 33, 40, 3), np.float32))
model.export("keras.onnx", format="onnx", verbose=False)
signature = (tf.TensorSpec((None, 33, 40, 3), tf.float32, name="image"),)
call = tf.function(lambda x: model(x, training=False), input_signature=signature)
tf2onnx.convert.from_function(call, input_signature=signature, opset=9, output_path="tf2onnx.onnx")
write_answers("keras.json", ["keras.onnx", "tf2onnx.onnx"])
