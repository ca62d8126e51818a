;; The one hot loop of the engine: eight columns of a matrix product, c += a b.
;;
;; a holds the rows of the left matrix in groups of four: for each of `depth` places k
;; the four numbers a[i][k], a[i+1][k], a[i+2][k], a[i+3][k] lie side by side.
;; b holds eight columns of the right matrix: for each k the eight numbers b[k][0..7].
;; c is stored row by row, `stride` bytes from one row to the next.
;;
;; A tile of four rows and eight columns of c stays in eight vector registers ($c00 to
;; $c31, row then half) while k runs over all places: each number that is read from
;; memory serves four or eight products. matrix.js has the same loop in JavaScript.
;;
;; kernel.wasm is what wasmtime.wat2wasm makes of this text; a test compares the two.
(module
  (import "engine" "memory" (memory 1))
  (func (export "panel")
    (param $a i32) (param $b i32) (param $c i32)  ;; places in memory, in bytes
    (param $rows i32)                             ;; of a and c, a multiple of four
    (param $depth i32)                            ;; places k, at least one
    (param $stride i32)                           ;; bytes from a row of c to the next
    (local $k i32) (local $at i32) (local $x v128) (local $left v128) (local $right v128)
    (local $c00 v128) (local $c01 v128) (local $c10 v128) (local $c11 v128)
    (local $c20 v128) (local $c21 v128) (local $c30 v128) (local $c31 v128)
    (loop $tile
      (local.set $c00 (v128.load (local.get $c)))
      (local.set $c01 (v128.load offset=16 (local.get $c)))
      (local.set $at (i32.add (local.get $c) (local.get $stride)))
      (local.set $c10 (v128.load (local.get $at)))
      (local.set $c11 (v128.load offset=16 (local.get $at)))
      (local.set $at (i32.add (local.get $at) (local.get $stride)))
      (local.set $c20 (v128.load (local.get $at)))
      (local.set $c21 (v128.load offset=16 (local.get $at)))
      (local.set $at (i32.add (local.get $at) (local.get $stride)))
      (local.set $c30 (v128.load (local.get $at)))
      (local.set $c31 (v128.load offset=16 (local.get $at)))

      (local.set $k (local.get $depth))
      (local.set $at (local.get $b))
      (loop $place
        (local.set $left (v128.load (local.get $at)))
        (local.set $right (v128.load offset=16 (local.get $at)))
        (local.set $x (v128.load32_splat (local.get $a)))
        (local.set $c00 (f32x4.add (local.get $c00) (f32x4.mul (local.get $x) (local.get $left))))
        (local.set $c01 (f32x4.add (local.get $c01) (f32x4.mul (local.get $x) (local.get $right))))
        (local.set $x (v128.load32_splat offset=4 (local.get $a)))
        (local.set $c10 (f32x4.add (local.get $c10) (f32x4.mul (local.get $x) (local.get $left))))
        (local.set $c11 (f32x4.add (local.get $c11) (f32x4.mul (local.get $x) (local.get $right))))
        (local.set $x (v128.load32_splat offset=8 (local.get $a)))
        (local.set $c20 (f32x4.add (local.get $c20) (f32x4.mul (local.get $x) (local.get $left))))
        (local.set $c21 (f32x4.add (local.get $c21) (f32x4.mul (local.get $x) (local.get $right))))
        (local.set $x (v128.load32_splat offset=12 (local.get $a)))
        (local.set $c30 (f32x4.add (local.get $c30) (f32x4.mul (local.get $x) (local.get $left))))
        (local.set $c31 (f32x4.add (local.get $c31) (f32x4.mul (local.get $x) (local.get $right))))
        (local.set $a (i32.add (local.get $a) (i32.const 16)))
        (local.set $at (i32.add (local.get $at) (i32.const 32)))
        (br_if $place (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))

      (v128.store (local.get $c) (local.get $c00))
      (v128.store offset=16 (local.get $c) (local.get $c01))
      (local.set $c (i32.add (local.get $c) (local.get $stride)))
      (v128.store (local.get $c) (local.get $c10))
      (v128.store offset=16 (local.get $c) (local.get $c11))
      (local.set $c (i32.add (local.get $c) (local.get $stride)))
      (v128.store (local.get $c) (local.get $c20))
      (v128.store offset=16 (local.get $c) (local.get $c21))
      (local.set $c (i32.add (local.get $c) (local.get $stride)))
      (v128.store (local.get $c) (local.get $c30))
      (v128.store offset=16 (local.get $c) (local.get $c31))
      (local.set $c (i32.add (local.get $c) (local.get $stride)))
      (br_if $tile (i32.gt_s (local.tee $rows (i32.sub (local.get $rows) (i32.const 4))) (i32.const 0))))))
