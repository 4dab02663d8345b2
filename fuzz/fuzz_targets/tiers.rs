//! Any numbers coded in every width: within the bound; any bytes as a code or as a tensor:
//! decoded or refused.
#![no_main]

use clawft_codes::{
    Width, decode_tiered, dot_tiered, encode_query_i8, encode_tiered,
    tensor::{Drift, Tensor},
    tiered_bytes, tiered_error,
};
use libfuzzer_sys::fuzz_target;

fn distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>().sqrt()
}

fuzz_target!(|bytes: &[u8]| {
    let v: Vec<f32> =
        bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    let sound = v.iter().all(|x| x.abs() <= 1e18);
    let mut out = vec![0.0; v.len()];
    let mut query = vec![0; v.len()];
    encode_query_i8(&v, &mut query);
    for width in Width::ALL {
        let mut code = vec![0; tiered_bytes(width, v.len())];
        let scale = encode_tiered(width, &v, &mut code);
        decode_tiered(width, &code, scale, &mut out);
        let _ = dot_tiered(width, &query, &code);
        if sound {
            let bound = tiered_error(width, &code, scale, v.len());
            assert!(distance(&v, &out) <= f64::from(bound), "{width:?}");
        }

        for (byte, any) in code.iter_mut().zip(bytes) {
            *byte = *any;
        }
        decode_tiered(width, &code, 1.0, &mut out);
        let _ = dot_tiered(width, &query, &code);

        let dim = 1 + bytes.first().map_or(0, |&b| usize::from(b));
        let Ok(mut tensor) = Tensor::create(vec![0; 4096], dim, width, Drift::default()) else {
            continue;
        };
        let mut frame = vec![0.0; dim];
        for v in v.chunks_exact(dim) {
            if let Ok(i) = tensor.push(v) {
                tensor.get(i, &mut frame).expect("it was pushed");
                let bound = tensor.error_bound(i).expect("it was pushed");
                assert!(
                    v.iter().any(|x| x.abs() > 1e18) || distance(v, &frame) <= f64::from(bound)
                );
            }
        }
    }

    let Ok(mut tensor) = Tensor::open(bytes.to_vec()) else { return };
    let mut frame = vec![0.0; tensor.dim()];
    for i in 0..tensor.len().min(9) {
        tensor.get(i, &mut frame).expect("the frame is there");
    }
    let _ = tensor.push(&frame);
    let _ = tensor.fit(tensor.used());
});
