from pcdet_kd.cli.draw_crops import main

if __name__ == '__main__':
    raise SystemExit(main())
