/** Which ONNX Runtime the engine is made for. Apart from ort.ts, so that asking does not need its types. */

/** The version that the engine is tested with, and what the registry must hand out for it (as in package-lock.json). */
export const ORT_VERSION = '1.30.0';
export const ORT_INTEGRITY: Readonly<Record<string, string>> = {
  'onnxruntime-node': 'sha512-twhs1C2C/BFkz1yc5OY0KIU2GUq6DURO7hD4bx5Q2Qy3nAMJwRXW8xU3NVczE29VA9lolLOYepoD8fjTGOfIqw==',
  'onnxruntime-common': 'sha512-7fdVWjAID1dVhH/G8qK3APARunV4VkBFoCQAP7qp4Wkab0mrorvmc+sqiT+mKXOzDqdjN5j+/Z9nb4gzNPWcyA==',
};
