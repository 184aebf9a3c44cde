from pcdet_kd.cli.saliency import main

if __name__ == '__main__':
    raise SystemExit(main())
